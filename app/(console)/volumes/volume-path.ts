/** Where a volume's page is; names may be paths. */
export function volumePath(volume: { hostId: string; name: string }): string {
  return `/volumes/${encodeURIComponent(volume.hostId)}/${encodeURIComponent(volume.name)}`;
}
