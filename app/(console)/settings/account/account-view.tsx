"use client";
import { useQuery } from "@tanstack/react-query";
import { Card, CardTitle } from "@/app/components/card";
import { PageHeader } from "@/app/components/page-header";
import { useTRPC } from "@/app/trpc/client";
import { roleTexts } from "@/server/core/access/permissions";
import { useViewer } from "../../access/may";
import { Passkeys } from "./passkeys";
import { PasswordForm } from "./password-form";
import { SecondFactor } from "./second-factor";
import { Sessions } from "./sessions";

export function AccountView() {
  const { name, email, role } = useViewer();
  const safety = useQuery(useTRPC().account.safety.queryOptions()).data;
  return (
    <div className="max-w-3xl">
      <PageHeader
        title="Your account"
        subtitle={`${name}, ${email}. ${roleTexts[role].label}: ${roleTexts[role].does}`}
      />
      <div className="space-y-4">
        {safety && (safety.hasPassword ? <PasswordForm /> : <NoPassword />)}
        <SecondFactor />
        <Passkeys />
        <Sessions />
      </div>
    </div>
  );
}

function NoPassword() {
  return (
    <Card>
      <CardTitle>Password</CardTitle>
      <p className="text-mute">
        None: you sign in by single sign-on, anew every twelve hours. An administrator can make you a link for a
        password of this console.
      </p>
    </Card>
  );
}
