/** An article of the knowledge base, in blocks that a page or a terminal can show without parsing markup. */
export type ArticleBlock =
  | { kind: "heading"; text: string }
  | { kind: "paragraph"; text: string }
  | { kind: "list"; items: readonly string[] }
  | { kind: "code"; text: string };

export interface Article {
  title: string;
  /** One sentence for lists and search results. */
  summary: string;
  blocks: readonly ArticleBlock[];
}

export const heading = (text: string): ArticleBlock => ({ kind: "heading", text });
export const paragraph = (text: string): ArticleBlock => ({ kind: "paragraph", text });
export const list = (...items: string[]): ArticleBlock => ({ kind: "list", items });
export const code = (text: string): ArticleBlock => ({ kind: "code", text });

/** Reading time at 200 words a minute, at least one minute. */
export function readingMinutes(article: Article): number {
  const words = article.blocks
    .flatMap((block) => (block.kind === "list" ? block.items : [block.text]))
    .join(" ")
    .split(/\s+/).length;
  return Math.max(1, Math.round(words / 200));
}
