import { z } from "zod";
import { errorCodeSchema } from "@/server/core/contracts/error-code";
import { failureViewSchema } from "@/server/core/contracts/views";
import { errorCodes } from "@/server/core/errors/codes";
import { errorTable } from "@/server/core/errors/table";
import { diagnosedFailureSchema, knownErrorSchema, listOf } from "../documents";
import { limit, onward } from "../parts";
import { route } from "../route";

export const failuresRoutes = [
  route({
    method: "GET",
    path: "/failures",
    id: "listFailures",
    tag: "Errors",
    summary: "Failures, newest first",
    permission: "see",
    status: 200,
    input: z
      .object({
        resolved: z.enum(["true", "false"]).optional().describe("Whether the job has succeeded since."),
        code: errorCodeSchema.optional(),
        before: z.string().min(1).max(100).optional().describe("A failure's id: only what comes after it in the list."),
        limit: limit(500),
      })
      .strict(),
    answer: listOf(failureViewSchema),
    respond: async ({ failures }, input) => {
      const { resolved, code, before } = input;
      const fitting = (await failures.list()).filter(
        (one) => (resolved ?? String(one.resolved)) === String(one.resolved) && (code ?? one.code) === one.code,
      );
      const from = before === undefined ? 0 : fitting.findIndex((one) => one.id === before) + 1;
      const items = fitting.slice(from, from + input.limit);
      const more = fitting.length > from + items.length;
      return { items, next: more ? onward("/failures", { ...input, before: items.at(-1)?.id }) : null };
    },
  }),
  route({
    method: "GET",
    path: "/failures/{id}",
    id: "getFailure",
    tag: "Errors",
    summary: "A failure with its evidence, and its causes checked against it",
    permission: "see",
    status: 200,
    input: z.object({ id: z.string().min(1).max(100).describe("A failure's id.") }).strict(),
    answer: diagnosedFailureSchema,
    respond: async ({ failures }, input) => {
      const failure = await failures.get(input.id);
      const { sentence, causes } = errorTable[failure.code];
      const checked = causes.map(({ id, title, check, detail }) => ({
        id,
        title,
        verdict: check(failure.evidence),
        detail: detail(failure.evidence),
      }));
      return { ...failure, sentence: sentence(failure.evidence), causes: checked };
    },
  }),
  route({
    method: "GET",
    path: "/error-codes",
    id: "listErrorCodes",
    tag: "Errors",
    summary: "The codes that failures have, and what they mean",
    permission: "see",
    status: 200,
    input: z.object({}).strict(),
    answer: listOf(knownErrorSchema),
    respond: async () => ({
      items: errorCodes.map((code) => {
        const { title, text, article } = errorTable[code];
        return { code, title, text, summary: article.summary };
      }),
      next: null,
    }),
  }),
];
