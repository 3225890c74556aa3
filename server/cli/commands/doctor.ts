import type { Command } from "commander";
import type { Doctor } from "@/server/core/contracts/volume";
import { examples, jsonOption } from "../examples";
import { exitCodes, Failure } from "../failure";
import { printFacts } from "../output/print";
import { globalOptions, withWorker } from "../session";

export function addDoctorCommand(program: Command): void {
  program
    .command("doctor")
    .description("what works on this host and what is missing, with a self-test of the engine")
    .option("--no-self-test", "only look, attach nothing")
    .option(...jsonOption)
    .addHelpText("after", examples("stillframe doctor", "stillframe doctor --json | jq .ok"))
    .action(async (options: { selfTest: boolean }, command: Command) => {
      const found = await examine(command, options.selfTest);
      printFacts(globalOptions(command).json, found, () => doctorText(found));
      if (!found.ok) throw new Failure("something that is required does not work here", exitCodes.failed);
    });
}

/** Whoever asks the doctor may well have a worker that does not run: that is then the finding. */
async function examine(command: Command, selfTest: boolean): Promise<Doctor> {
  try {
    return await withWorker(command, (worker) => worker.host("host.doctor", { selfTest }));
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== "OFO-COMM") throw error;
    const check = { name: "worker", ok: false, required: true, detail: error.message, fix: error.advice };
    return { ok: false, checks: [check] };
  }
}

function doctorText(doctor: Doctor): string {
  const wide = Math.max(...doctor.checks.map((check) => check.name.length));
  return doctor.checks
    .flatMap((check) => {
      const word = check.ok ? "works  " : check.required ? "MISSING" : "absent ";
      const line = `${word}  ${check.name.padEnd(wide)}  ${check.detail}`;
      return check.fix && !check.ok ? [line, `${" ".repeat(wide + 11)}→ ${check.fix}`] : [line];
    })
    .join("\n");
}
