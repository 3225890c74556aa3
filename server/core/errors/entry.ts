/**
 * The shape of an entry of the error table, and how one is written: with functions of its own evidence
 * shape. Readers pass whatever evidence was stored; where it does not parse (an older worker, a part
 * missing) every check answers `unknown` and the sentence falls back to the title.
 */
import type { Evidence } from "../contracts/run";
import type { Action, ActionId } from "./actions";
import type { Article } from "./article";
import type { ErrorCode } from "./codes";
import { type EvidenceOf, evidenceByCode } from "./evidence";
import { errorTitles } from "./titles";

/** `true`: the evidence shows this cause. `no`: it rules it out. */
export type Verdict = "true" | "no" | "unknown";

export interface Cause {
  id: string;
  title: string;
  check(evidence: Evidence): Verdict;
  /** The facts behind the verdict, one line. */
  detail(evidence: Evidence): string;
}

export interface ErrorEntry {
  code: ErrorCode;
  /** Heading of a failure page when nothing more is known. */
  title: string;
  /** The line that logs, the API and searches carry. Never changes. */
  text: string;
  /** What happened, for a person, from the evidence. */
  sentence(evidence: Evidence): string;
  /** Most likely first. */
  causes: readonly Cause[];
  actions: readonly Action[];
  /** Those of the actions that can help with this very failure, with its own figures. */
  actionsFor(evidence: Evidence): readonly Action[];
  article: Article;
}

export interface EntryDefinition<C extends ErrorCode> {
  code: C;
  text: string;
  sentence(evidence: EvidenceOf<C>): string;
  causes: readonly {
    id: string;
    title: string;
    check(evidence: EvidenceOf<C>): Verdict;
    detail(evidence: EvidenceOf<C>): string;
  }[];
  actions: readonly [Action, ...Action[]];
  /** Left out: every action helps with every failure of the code. */
  helps?(evidence: EvidenceOf<C>, action: ActionId): boolean;
  /** A sentence more about an action, with this failure's figures. */
  figures?(evidence: EvidenceOf<C>, action: ActionId): string | null;
  article: Article;
}

/** Closes an entry over its evidence shape. */
export function defineEntry<C extends ErrorCode>(definition: EntryDefinition<C>): ErrorEntry {
  const read = (evidence: Evidence): EvidenceOf<C> | null => {
    const parsed = evidenceByCode[definition.code].safeParse(evidence);
    return parsed.success ? (parsed.data as EvidenceOf<C>) : null;
  };
  const title = errorTitles[definition.code];
  return {
    ...definition,
    title,
    sentence: (evidence) => {
      const known = read(evidence);
      return known ? definition.sentence(known) : `${title}.`;
    },
    actionsFor: (evidence) => {
      const known = read(evidence);
      if (known === null) return definition.actions;
      return definition.actions
        .filter(({ id }) => definition.helps?.(known, id) ?? true)
        .map((action) => {
          const figures = definition.figures?.(known, action.id) ?? null;
          return figures === null ? action : { ...action, description: `${action.description} ${figures}` };
        });
    },
    causes: definition.causes.map((cause) => ({
      id: cause.id,
      title: cause.title,
      check: (evidence) => {
        const known = read(evidence);
        return known ? cause.check(known) : "unknown";
      },
      detail: (evidence) => {
        const known = read(evidence);
        return known ? cause.detail(known) : "no evidence was kept";
      },
    })),
  };
}

/** A verdict from something that may not be known. */
export function verdict(known: boolean | null | undefined): Verdict {
  return known === null || known === undefined ? "unknown" : known ? "true" : "no";
}
