/** Whether a channel's last attempt failed; instants of its last delivery and its last failure, ISO 8601. */
export function failedLast(deliveredAt: string | null, failedAt: string | null): boolean {
  return failedAt !== null && (deliveredAt === null || deliveredAt < failedAt);
}
