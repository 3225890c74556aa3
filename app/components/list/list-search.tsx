"use client";
import { Search } from "lucide-react";
import { type ReactNode, useState } from "react";
import { Button } from "../button";
import { Input } from "../input";

type ListSearchProps = {
  /** What can be searched for, e.g. `Job or code`. */
  label: string;
  text: string;
  onSearch: (text: string) => void;
  /** Filters and the order. */
  children?: ReactNode;
  /** Back to the usual list; absent while it is. */
  onClear?: (() => void) | undefined;
};

/** The search above a list, with its filters beside it. */
export function ListSearch({ label, text, onSearch, children, onClear }: ListSearchProps) {
  return (
    <search className="mb-4 flex flex-wrap items-center gap-2 max-sm:[&>span]:grow max-sm:[&>span]:basis-36">
      {/* A text that changed elsewhere, by the back button or by “Clear filters”, is taken over. */}
      <SearchField key={text} label={label} text={text} onSearch={onSearch} />
      {children}
      {onClear && (
        <Button kind="quiet" onClick={onClear}>
          Clear filters
        </Button>
      )}
    </search>
  );
}

function SearchField({ label, text, onSearch }: Pick<ListSearchProps, "label" | "text" | "onSearch">) {
  const [typed, setTyped] = useState(text);
  return (
    <form
      className="flex min-w-0 grow basis-56 gap-2 sm:max-w-xs"
      onSubmit={(event) => {
        event.preventDefault();
        onSearch(typed.trim());
      }}
    >
      <Input
        type="search"
        aria-label={label}
        placeholder={label}
        value={typed}
        maxLength={200}
        onChange={(event) => setTyped(event.target.value)}
      />
      <Button type="submit" size="icon" aria-label="Search">
        <Search aria-hidden />
      </Button>
    </form>
  );
}
