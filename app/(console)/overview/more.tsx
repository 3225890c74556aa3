import Link from "next/link";
import { plural } from "@/app/components/format";

type MoreProps = { shown: number; of: number; what: string; href: string };

/** That there are more than those above, which are the ones to look at first. */
export function More({ shown, of, what, href }: MoreProps) {
  if (of <= shown) return null;
  return (
    <p className="mt-3 text-mute text-xs">
      And{" "}
      <Link href={href} className="text-accent underline">
        {plural(of - shown, `more ${what}`)}
      </Link>
      .
    </p>
  );
}
