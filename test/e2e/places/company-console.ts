/** The built console at the moment of the pictures, with a company in it or with nothing yet. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { BrowserContext } from "@playwright/test";
import type { Role } from "@/server/core/access/permissions";
import { ADMINISTRATOR, ConsoleUnderTest } from "../../fixtures/console-under-test";
import type { ScriptedWorker } from "../../fixtures/scripted-worker";
import { hosts, invitation } from "./company";
import { connectHost } from "./company-host";
import { runNamed } from "./company-runs";
import { NOW } from "./moment";

const clock = pathToFileURL(join(import.meta.dirname, "fixed-clock.mjs")).href;
const atTheMoment = { STILLFRAME_TEST_NOW: new Date(NOW).toISOString() };

export class CompanyConsole {
  readonly console = new ConsoleUnderTest();
  cookie = "";
  readonly #what: "filled" | "empty";
  #workers: ScriptedWorker[] = [];

  constructor(what: "filled" | "empty", port: number) {
    this.#what = what;
    this.console.port = port;
  }

  get origin(): string {
    return this.console.origin;
  }

  /** With its hosts, and the administrator signed in. */
  async start(): Promise<void> {
    await this.open();
    await this.signUp();
    await this.connect();
  }

  /** As at its first start: nobody has an account. */
  async open(): Promise<void> {
    const program = join(import.meta.dirname, "company-home.ts");
    const { status, stderr } = spawnSync(
      process.execPath,
      ["--import", "tsx", "--import", clock, program, this.console.home, this.#what],
      { env: { ...process.env, ...atTheMoment }, encoding: "utf8" },
    );
    if (status !== 0) throw new Error(`the company could not be written: ${stderr}`);
    await this.console.startProcess({ ...atTheMoment, NODE_OPTIONS: `--import=${clock}` }, { pages: true });
  }

  async signUp(): Promise<void> {
    // Where others have accounts there is no link of the first start.
    const token = this.#what === "empty" ? this.console.signInToken() : invitation;
    await this.console.client(null).account.create.mutate({ token: token ?? "", ...ADMINISTRATOR });
    this.cookie = await this.console.signIn();
  }

  async connect(): Promise<void> {
    const empty = this.#what === "empty";
    const activeRuns = empty ? [] : [runNamed("live")];
    this.#workers = [await connectHost("db01", this.origin, this.console.hostKey, { empty, activeRuns })];
    if (!empty) this.#workers.push(await connectHost("web01", this.origin, hosts.web01.key));
  }

  /** All hosts go away. */
  disconnect(): void {
    for (const worker of this.#workers) worker.drop();
    this.#workers = [];
  }

  /** As the administrator, or as somebody new of another role. */
  async signIn(context: BrowserContext, role: Role = "administrator"): Promise<void> {
    const cookie = role === "administrator" ? this.cookie : await this.console.signUpAs(role, this.cookie);
    await context.addCookies(
      cookie.split("; ").map((pair) => {
        const cut = pair.indexOf("=");
        return { name: pair.slice(0, cut), value: pair.slice(cut + 1), url: this.origin };
      }),
    );
  }

  async remove(): Promise<void> {
    this.disconnect();
    await this.console.remove();
  }
}
