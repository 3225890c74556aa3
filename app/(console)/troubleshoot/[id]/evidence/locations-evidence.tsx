import { Path } from "@/app/components/path";
import type { EvidenceOf } from "@/server/core/errors/evidence";
import { formatBytes } from "@/server/core/text/bytes";
import { Facts } from "./facts";

/** Each place where a cache could have been, and why it was not. */
export function LocationsEvidence({ evidence }: { evidence: EvidenceOf<"a000851c"> }) {
  const size = (value: number | null) => (value === null ? "not known" : formatBytes(value));
  return (
    <>
      {evidence.locations.length > 0 && (
        <table className="rows cards mb-3">
          <thead>
            <tr>
              <th scope="col">Location</th>
              <th scope="col" className="n">
                Free
              </th>
              <th scope="col" className="n">
                Needed
              </th>
              <th scope="col" className="n">
                Reserved
              </th>
              <th scope="col">Why not</th>
            </tr>
          </thead>
          <tbody>
            {evidence.locations.map((one) => (
              <tr key={one.path}>
                <td className="lead">
                  <Path path={one.path} />
                </td>
                <td className="n" data-label="Free">
                  {formatBytes(one.freeBytes)}
                </td>
                <td className="n" data-label="Needed">
                  {formatBytes(one.neededBytes)}
                </td>
                <td className="n" data-label="Reserved">
                  {formatBytes(one.reservedBytes)}
                </td>
                <td data-label="Why not">
                  <span className="wrap-anywhere">{one.turnedDown ?? "it was used"}</span>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <Facts
        facts={[
          ["Maximum of this cache", size(evidence.maxBytes)],
          ["Forecast, all at once", size(evidence.needAllAtOnceBytes)],
          ["Forecast, one at a time", size(evidence.needOneAtATimeBytes)],
          ["Orphaned cache files", size(evidence.orphanBytes)],
        ]}
      />
    </>
  );
}
