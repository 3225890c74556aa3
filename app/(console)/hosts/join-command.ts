/** The command by which a machine becomes a host. */

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** The address that the reader came by, unless it is one that leads nowhere on another machine. */
export function likelyAddress(here: string, told: string): string {
  return isLoopback(here) && !isLoopback(told) ? told : here;
}

export function joinCommand(address: string, token: string): string {
  const origin = originOf(address) ?? address;
  return `curl -fsS ${origin}/join.sh | sh -s -- ${origin} ${token}`;
}

/** What is wrong with an address; `refused`: no command can be made of it. Null: nothing. */
export function addressProblem(address: string): { refused: boolean; text: string } | null {
  const origin = originOf(address);
  if (origin === null) {
    return { refused: true, text: "Give an address like https://console.example.org:4643, without a path." };
  }
  if (isLoopback(origin)) {
    return {
      refused: false,
      text: "This address leads a machine to itself. For another machine, start the console with --bind and give the address that it listens on, or the one of the proxy before it.",
    };
  }
  if (origin.startsWith("http:")) {
    return {
      refused: false,
      text: "This address is not encrypted: the host’s key and repositories’ passwords would cross the network in the clear. Start the console with --tls-cert and --tls-key, or put a proxy before it.",
    };
  }
  return null;
}

/** Null for what is no plain address of a console. What a shell would read otherwise is in none. */
function originOf(address: string): string | null {
  const text = address.trim();
  if (!URL.canParse(text)) return null;
  const { protocol, origin, pathname, search, hash, username } = new URL(text);
  const plain = /^https?:$/.test(protocol) && pathname === "/" && search === "" && hash === "" && username === "";
  return plain && /^https?:\/\/[\w.:[\]-]+$/.test(origin) ? origin : null;
}

const isLoopback = (origin: string): boolean => URL.canParse(origin) && LOOPBACK.test(new URL(origin).hostname);
