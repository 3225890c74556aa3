/** How each kind of step is undone. Nothing to undo is no failure. */
import { stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import { unlockRepository } from "../backup/restic";
import { EngineClient, EngineGone, EngineRefused } from "../engine/client";
import type { EngineProgram } from "../engine/engine-program";
import { errnoName, FaultError } from "../fault";
import { HOOK_MARK } from "../hooks/hook-process";
import type { Places } from "../places";
import { endLivingGroup, endMarked } from "../programs/processes";
import { endNamespace } from "./namespace";
import { describeStep, type Undoer, type UndoStep } from "./undo";

/** Undoes steps on this host. */
export function undoerFor(places: Places, engine: EngineProgram): Undoer {
  return async (step) => ((await undo(places, engine, step)) ? describeStep(step) : null);
}

/** True when there was something to undo. */
async function undo(places: Places, engine: EngineProgram, step: UndoStep): Promise<boolean> {
  switch (step.kind) {
    case "snapshot":
      return releaseSnapshot(step.runDirectory, step.snapshot);
    case "export":
      return unexport(engine, step.runDirectory, step.snapshot);
    case "namespace":
      return endOne(places, step.id);
    case "process":
      return endLivingGroup(step);
    case "hook": {
      const ended = await endLivingGroup(step);
      return (await endMarked(HOOK_MARK, step.mark)) || ended;
    }
    case "resticLocks":
      return unlockRepository(places, step.repository, step.passwordFile);
    case "file":
      return removeOne(step.path);
  }
}

/** Releases through the engine's socket; an engine that is gone for good holds no snapshot. */
export async function releaseSnapshot(runDirectory: string, snapshot: string): Promise<boolean> {
  const path = join(runDirectory, "engine.sock");
  let client: EngineClient;
  try {
    client = await EngineClient.open(path);
  } catch (error) {
    if (error instanceof EngineGone && (await stat(path).catch(() => null)) === null) return false;
    throw error;
  }
  try {
    await client.request("release", { snapshot }, 60_000);
    return true;
  } catch (error) {
    if (error instanceof EngineRefused && error.kind === "notFound") return false;
    throw error;
  } finally {
    client.close();
  }
}

async function unexport(engine: EngineProgram, runDirectory: string, snapshot: string): Promise<boolean> {
  if ((await stat(runDirectory).catch(() => null)) === null) return false;
  try {
    await engine.unexport(runDirectory, snapshot);
    return true;
  } catch (error) {
    if (error instanceof FaultError && error.kind === "notFound") return false;
    throw error;
  }
}

async function endOne(places: Places, id: string): Promise<boolean> {
  const file = join(places.namespaces, id);
  const existed = (await stat(file).catch(() => null)) !== null;
  await endNamespace(places, id);
  return existed;
}

async function removeOne(path: string): Promise<boolean> {
  try {
    await unlink(path);
    return true;
  } catch (error) {
    if (errnoName(error) === "ENOENT") return false;
    throw error;
  }
}
