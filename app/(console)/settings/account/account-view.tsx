"use client";
import { PageHeader } from "@/app/components/page-header";
import { roleTexts } from "@/server/core/access/permissions";
import { useViewer } from "../../access/may";
import { Passkeys } from "./passkeys";
import { PasswordForm } from "./password-form";
import { SecondFactor } from "./second-factor";
import { Sessions } from "./sessions";

export function AccountView() {
  const { name, email, role } = useViewer();
  return (
    <div className="max-w-3xl">
      <PageHeader
        title="Your account"
        subtitle={`${name}, ${email}. ${roleTexts[role].label}: ${roleTexts[role].does}`}
      />
      <div className="space-y-4">
        <PasswordForm />
        <SecondFactor />
        <Passkeys />
        <Sessions />
      </div>
    </div>
  );
}
