import { wholeVolumes } from "@/server/core/planning/selection";
import { wholeVolumeWords } from "@/server/core/settings/open-file-words";
import { Note } from "./note";

type IgnoredVolumesProps = {
  paths: readonly string[];
  volumes: readonly { name: string; mount: string | null }[];
};

/** Says, beside paths that are to be ignored, which of them are whole volumes. Stands there always, so that it is heard. */
export function IgnoredVolumes({ paths, volumes }: IgnoredVolumesProps) {
  const said = new Set(wholeVolumes(paths, volumes).map(wholeVolumeWords));
  return (
    <div role="status">
      {[...said].map((words) => (
        <Note key={words} tone="warn" className="mt-2">
          {words}
        </Note>
      ))}
    </div>
  );
}
