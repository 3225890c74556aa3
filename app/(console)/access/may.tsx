"use client";
/** Who looks, for what is shown only to those who may do it. The console refuses the others all the same. */
import { createContext, type ReactNode, useContext } from "react";
import { Note } from "@/app/components/note";
import { may, type Permission, refusal } from "@/server/core/access/permissions";
import type { SignedIn } from "@/server/core/contracts/accounts";

const Viewer = createContext<SignedIn | null>(null);

export function ViewerProvider({ user, children }: { user: SignedIn; children: ReactNode }) {
  return <Viewer.Provider value={user}>{children}</Viewer.Provider>;
}

export function useViewer(): SignedIn {
  const viewer = useContext(Viewer);
  if (!viewer) throw new Error("ViewerProvider is missing above");
  return viewer;
}

export function useMay(permission: Permission): boolean {
  return may(useViewer().role, permission);
}

/** Its children, for those who may. */
export function May({ permission, children }: { permission: Permission; children: ReactNode }) {
  return useMay(permission) ? children : null;
}

/** Fields that those who may not can read but not change, with the reason above them. */
export function ReadOnlyUnless({ permission, children }: { permission: Permission; children: ReactNode }) {
  const { role } = useViewer();
  if (may(role, permission)) return children;
  return (
    <>
      <Note title="You can look, but not change anything here" className="mb-4">
        {refusal(role, permission)}
      </Note>
      <fieldset disabled className="contents">
        {children}
      </fieldset>
    </>
  );
}
