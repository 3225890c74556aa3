import { type Command, InvalidArgumentError } from "commander";
import type { ArticleBlock } from "@/server/core/errors/article";
import { type ErrorCode, errorCodeOf, errorCodes } from "@/server/core/errors/codes";
import { errorTable } from "@/server/core/errors/table";
import { examples } from "../examples";
import { printFacts } from "../output/print";

export function addExplainCommand(program: Command): void {
  program
    .command("explain")
    .description("the article about an error code")
    .argument("<code>", `as a failure prints it: ${errorCodes.join(", ")}`, codeArgument)
    .addHelpText("after", examples("stillframe explain a000851c"))
    .action((code: ErrorCode) => {
      const { text, article } = errorTable[code];
      const parts = [article.title.toUpperCase(), `${code}  ${text}`, ...article.blocks.map(blockText)];
      printFacts(false, null, () => parts.join("\n\n"));
    });
}

function codeArgument(given: string): ErrorCode {
  const code = errorCodeOf(given);
  if (code === null) throw new InvalidArgumentError(`There are ${errorCodes.join(", ")}.`);
  return code;
}

function blockText(block: ArticleBlock): string {
  switch (block.kind) {
    case "heading":
      return block.text.toUpperCase();
    case "paragraph":
      return wrap(block.text, "", "");
    case "list":
      return block.items.map((item) => wrap(item, "- ", "  ")).join("\n");
    case "code":
      return block.text.replace(/^/gm, "    ");
  }
}

function wrap(text: string, first: string, rest: string): string {
  const lines: string[] = [];
  let line = first;
  for (const word of text.split(" ")) {
    if (line.length + word.length > 80 && line.trim() !== "" && line !== first) {
      lines.push(line.trimEnd());
      line = rest;
    }
    line += `${word} `;
  }
  return [...lines, line.trimEnd()].join("\n");
}
