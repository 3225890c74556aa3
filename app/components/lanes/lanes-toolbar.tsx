import { Maximize, Minus, Plus, Radio } from "lucide-react";
import { Button } from "../button";
import type { LanesView } from "./use-lanes-view";

/** Zoom by buttons, back to everything, and to the present of a live run. */
export function LanesToolbar({ control, live }: { control: LanesView; live: boolean }) {
  const whole = control.view.kind === "whole";
  return (
    <div role="toolbar" aria-label="Part of the time that is shown" className="flex items-center gap-1">
      {live && (
        <Button
          size="small"
          aria-pressed={control.view.kind !== "window"}
          onClick={control.follow}
          className="mr-1 aria-pressed:border-accent aria-pressed:text-accent"
        >
          <Radio aria-hidden />
          Live
        </Button>
      )}
      <Button
        size="smallIcon"
        aria-label="Zoom out"
        title="Zoom out (−)"
        disabled={whole}
        onClick={() => control.farther()}
      >
        <Minus aria-hidden />
      </Button>
      <Button size="smallIcon" aria-label="Zoom in" title="Zoom in (+)" onClick={() => control.closer()}>
        <Plus aria-hidden />
      </Button>
      <Button
        size="smallIcon"
        aria-label="Show everything"
        title="Show everything (0)"
        disabled={whole}
        onClick={control.whole}
      >
        <Maximize aria-hidden />
      </Button>
    </div>
  );
}
