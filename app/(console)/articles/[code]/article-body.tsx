import type { Article, ArticleBlock } from "@/server/core/errors/article";

/** An article's blocks as elements. */
export function ArticleBody({ article }: { article: Article }) {
  return (
    <div className="space-y-3.5 text-[0.9375rem] leading-relaxed">
      <p className="text-base text-mute">{article.summary}</p>
      {article.blocks.map((block, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: an article's blocks never change places
        <Block key={index} block={block} />
      ))}
    </div>
  );
}

function Block({ block }: { block: ArticleBlock }) {
  switch (block.kind) {
    case "heading":
      return <h2 className="pt-3 font-semibold text-base tracking-tight">{block.text}</h2>;
    case "paragraph":
      return <p>{block.text}</p>;
    case "list":
      return (
        <ul className="list-disc space-y-1.5 pl-5">
          {block.items.map((item) => (
            <li key={item}>{item}</li>
          ))}
        </ul>
      );
    case "code":
      return (
        <pre
          // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
          tabIndex={0}
          className="overflow-x-auto rounded-lg border border-line bg-soft p-3 font-mono text-[0.8125rem]"
        >
          {block.text}
        </pre>
      );
  }
}
