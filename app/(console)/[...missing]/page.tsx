import { notFound } from "next/navigation";

/** Any address that is no place: told inside the console, with its navigation. */
export default function MissingPage() {
  notFound();
}
