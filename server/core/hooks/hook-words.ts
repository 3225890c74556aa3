/** How hooks are called: by their own names, else after their moment. Commands may hold secrets and are no names. */
import type { Hook, HookMoment } from "../contracts/hooks";

export const momentWords: Record<HookMoment, string> = {
  preFreeze: "pre-freeze",
  freezeHold: "freeze-hold",
  postSnapshot: "post-snapshot",
  postRun: "post-run",
};

type Named = Pick<Hook, "at" | "name">;

/** Each hook's label, by its place in the list. Those without a name are numbered where there are several. */
export function hookLabels(hooks: readonly Named[]): string[] {
  return hooks.map((hook, index) => {
    if (hook.name !== "") return hook.name;
    const nameless = (one: Named) => one.at === hook.at && one.name === "";
    const word = `${momentWords[hook.at]} hook`;
    return hooks.filter(nameless).length === 1 ? word : `${word} ${hooks.slice(0, index + 1).filter(nameless).length}`;
  });
}

/** `the pre-freeze hook "flush"`, or `the pre-freeze hook` of one without a name. */
export function hookPhrase(at: HookMoment | null, label: string | null): string {
  if (label === null) return "the hook";
  if (at === null) return `the hook "${label}"`;
  const word = `${momentWords[at]} hook`;
  return label === word || (/^ \d+$/.test(label.slice(word.length)) && label.startsWith(word))
    ? `the ${label}`
    : `the ${word} "${label}"`;
}
