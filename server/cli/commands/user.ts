import { Argument, type Command, Option } from "commander";
import { type Role, roles } from "@/server/core/access/permissions";
import type { NewLink } from "@/server/core/contracts/accounts";
import { examples, jsonOption } from "../examples";
import { printFacts } from "../output/print";
import { formatTable } from "../output/table";
import { globalOptions, withWorker } from "../session";

export function addUserCommands(program: Command): void {
  const user = program
    .command("user")
    .description("people of the console and their roles; works on the console's own host, also for who is locked out");

  user
    .command("list")
    .description("who has an account")
    .option(...jsonOption)
    .addHelpText("after", examples("stillframe user list"))
    .action(async (_options, command: Command) => {
      const users = await withWorker(command, (worker) => worker.console("user.list", {}));
      printFacts(globalOptions(command).json, users, () =>
        users.length === 0
          ? "Nobody yet: the console's first start printed a link."
          : formatTable(users, [
              { title: "EMAIL", value: (u) => u.email },
              { title: "NAME", value: (u) => u.name },
              { title: "ROLE", value: (u) => u.role },
              { title: "SECOND FACTOR", value: (u) => (u.secondFactor ? "on" : "off") },
              { title: "LAST SIGN-IN", value: (u) => u.lastSignInAt ?? "signed out" },
            ]),
      );
    });

  user
    .command("invite")
    .description("make a link that lets one person in; it works once, for seven days")
    .argument("<email>")
    .addOption(new Option("--role <role>", "what they may do").choices(roles).default("viewer"))
    .option(...jsonOption)
    .addHelpText("after", examples("stillframe user invite grace@example.org --role operator"))
    .action(async (email: string, { role }: { role: Role }, command: Command) => {
      printLink(command, await withWorker(command, (worker) => worker.console("user.invite", { email, role })));
    });

  user
    .command("password")
    .description("make a link by which somebody chooses a new password; it works once, for seven days")
    .argument("<email>")
    .option(...jsonOption)
    .addHelpText("after", examples("stillframe user password grace@example.org"))
    .action(async (email: string, _options, command: Command) => {
      printLink(command, await withWorker(command, (worker) => worker.console("user.password", { email })));
    });

  user
    .command("remove-second-factor")
    .description("let somebody who lost their second factor sign in by password alone; their sign-ins end")
    .argument("<email>")
    .addHelpText("after", examples("stillframe user remove-second-factor grace@example.org"))
    .action(async (email: string, _options, command: Command) => {
      await withWorker(command, (worker) => worker.console("user.removeSecondFactor", { email }));
    });

  user
    .command("role")
    .description("change what somebody may do")
    .argument("<email>")
    .addArgument(new Argument("<role>").choices(roles))
    .addHelpText("after", examples("stillframe user role grace@example.org administrator"))
    .action(async (email: string, role: Role, _options, command: Command) => {
      await withWorker(command, (worker) => worker.console("user.role", { email, role }));
    });

  user
    .command("remove")
    .description("remove an account; its sign-ins end at once")
    .argument("<email>")
    .addHelpText("after", examples("stillframe user remove grace@example.org"))
    .action(async (email: string, _options, command: Command) => {
      await withWorker(command, (worker) => worker.console("user.remove", { email }));
    });
}

function printLink(command: Command, made: NewLink): void {
  printFacts(globalOptions(command).json, made, () => made.link);
}
