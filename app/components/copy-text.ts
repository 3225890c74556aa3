import { toast } from "sonner";

/** Copies it, and says so. Browsers refuse on a page without TLS: then people are told to copy `what` by hand. */
export async function copyText(text: string, what: string, pronoun: "it" | "them" = "it"): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    toast.success("Copied.");
  } catch {
    toast.error(`The browser does not allow it: select the ${what} and copy ${pronoun}.`);
  }
}
