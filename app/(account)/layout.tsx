import type { ReactNode } from "react";
import { Mark } from "../components/mark";

export default function AccountLayout({ children }: { children: ReactNode }) {
  return (
    <main className="mx-auto flex min-h-dvh max-w-sm flex-col justify-center px-4 py-10">
      <div className="mb-7 flex items-center gap-2.5 font-semibold text-base tracking-tight">
        <Mark size={26} /> Stillframe
      </div>
      {children}
    </main>
  );
}
