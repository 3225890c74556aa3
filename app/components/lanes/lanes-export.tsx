"use client";
import { Download } from "lucide-react";
import type { RefObject } from "react";
import { Button } from "../button";
import { saveFile } from "../save-file";
import type { LanesData } from "./lanes-data";

type LanesExportProps = {
  data: LanesData;
  drawing: RefObject<SVGSVGElement | null>;
  /** What the picture shows, in a line; and its files' name without an ending. */
  caption: string;
  fileName: string;
};

/** The picture as it is seen, and everything that was measured, as files. What makes them is loaded when asked for. */
export function LanesExport({ data, drawing, caption, fileName }: LanesExportProps) {
  const saveCsv = async () => {
    const { lanesCsv } = await import("./export-csv");
    saveFile(`${fileName}.csv`, new Blob([lanesCsv(data)], { type: "text/csv;charset=utf-8" }));
  };
  const saveSvg = async () => {
    const { pictureAsSvg } = await import("./export-svg");
    if (!drawing.current) return;
    saveFile(`${fileName}.svg`, new Blob([pictureAsSvg(drawing.current, caption)], { type: "image/svg+xml" }));
  };
  return (
    <div className="flex items-center gap-1">
      <Button size="small" kind="quiet" onClick={() => void saveSvg()} aria-label="Download the picture as SVG">
        <Download aria-hidden />
        SVG
      </Button>
      <Button size="small" kind="quiet" onClick={() => void saveCsv()} aria-label="Download the values as CSV">
        <Download aria-hidden />
        CSV
      </Button>
    </div>
  );
}
