const names: Record<number, string> = {
  1: "EPERM, operation not permitted",
  2: "ENOENT, no such file or directory",
  5: "EIO, input/output error",
  12: "ENOMEM, out of memory",
  13: "EACCES, permission denied",
  16: "EBUSY, device or resource busy",
  20: "ENOTDIR, not a directory",
  27: "EFBIG, file too large",
  28: "ENOSPC, no space left on device",
  30: "EROFS, read-only file system",
  40: "ELOOP, too many symbolic links",
  116: "ESTALE, stale file handle",
  122: "EDQUOT, disk quota exceeded",
};

/** Linux's name and meaning of an error number. */
export function errnoText(errno: number): string {
  return names[errno] ?? `error ${errno}`;
}
