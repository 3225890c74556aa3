"use client";
import { Fragment } from "react";
import { asSentence } from "./format";
import { Time } from "./time";

/** As `formatInstant` writes it (server/core/text/instant.ts). */
const INSTANT = /(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC)/;

/** What a failure says of itself, its instants in the viewer's zone. */
export function Sentence({ text }: { text: string }) {
  return <Zoned text={asSentence(text)} />;
}

/** A text with its instants in the viewer's zone. */
export function Zoned({ text }: { text: string }) {
  return text.split(INSTANT).map((part, i) => {
    // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a text have no other name
    if (!INSTANT.test(part)) return <Fragment key={i}>{part}</Fragment>;
    const at = `${part.slice(0, 10)}T${part.slice(11, 19)}Z`;
    // biome-ignore lint/suspicious/noArrayIndexKey: as above
    return <Time key={i} at={at} className="whitespace-nowrap" />;
  });
}
