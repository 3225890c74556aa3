"use client";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { ShieldCheck } from "lucide-react";
import { useState } from "react";
import { toast } from "sonner";
import { Button } from "@/app/components/button";
import { Card, CardTitle } from "@/app/components/card";
import { Dialog } from "@/app/components/dialog";
import { plural } from "@/app/components/format";
import { Unanswered } from "@/app/components/unanswered";
import { useTRPC } from "@/app/trpc/client";
import { BackupCodes } from "./backup-codes";
import { PasswordPrompt } from "./password-prompt";
import { SecondFactorSetup } from "./second-factor-setup";

type Doing = "setUp" | "turnOff" | "newCodes" | null;
const FEW_CODES = 3;

/** A code from an app besides the password: set up, new backup codes, turned off. */
export function SecondFactor() {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const safety = useQuery(trpc.account.safety.queryOptions());
  const [doing, setDoing] = useState<Doing>(null);
  const [codes, setCodes] = useState<readonly string[] | null>(null);
  const present = safety.data?.secondFactor;
  const close = () => {
    setDoing(null);
    setCodes(null);
    // Both change with it: the library begins a new sign-in in place of this one.
    void queryClient.invalidateQueries({ queryKey: trpc.account.pathKey() });
  };
  const dialog = (which: Doing) => ({ open: doing === which, onOpenChange: (open: boolean) => !open && close() });
  return (
    <Card>
      <CardTitle>Second factor</CardTitle>
      <Unanswered query={safety} of="second factor" />
      {present === null && (
        <div className="flex flex-wrap items-center justify-between gap-x-6 gap-y-3">
          <p className="min-w-0 flex-[1_1_18rem] text-mute">
            Off. With it, a sign-in also asks for a code from an app on your phone, so that a password alone, once found
            out, lets nobody in.
          </p>
          <Button kind="primary" onClick={() => setDoing("setUp")}>
            Set it up
          </Button>
        </div>
      )}
      {present && (
        <div className="flex flex-wrap items-center justify-between gap-x-6 gap-y-3">
          <p className="flex min-w-0 flex-[1_1_18rem] gap-2.5">
            <ShieldCheck className="mt-0.5 size-4 shrink-0 text-accent" aria-hidden />
            <span>
              On. {plural(present.backupCodesLeft, "backup code")} left
              {present.backupCodesLeft <= FEW_CODES && ": make new ones before they run out"}.
            </span>
          </p>
          <span className="flex flex-wrap gap-2">
            <Button onClick={() => setDoing("newCodes")}>New backup codes</Button>
            <Button onClick={() => setDoing("turnOff")}>Turn off</Button>
          </span>
        </div>
      )}
      <Dialog {...dialog("setUp")} title="Set up a second factor">
        <SecondFactorSetup onDone={close} />
      </Dialog>
      <Dialog
        {...dialog("newCodes")}
        title="New backup codes"
        description={codes ? undefined : "Those that are left do not work any more then."}
      >
        {codes ? (
          <BackupCodes codes={codes} onDone={close} />
        ) : (
          <PasswordPrompt<{ backupCodes: string[] }>
            path="two-factor/generate-backup-codes"
            confirm="Make new codes"
            onDone={({ backupCodes }) => setCodes(backupCodes)}
            onCancel={close}
          />
        )}
      </Dialog>
      <Dialog
        {...dialog("turnOff")}
        title="Turn the second factor off?"
        description="Your password alone then lets in whoever knows it. The entry in your app and the backup codes stop working."
      >
        <PasswordPrompt
          path="two-factor/disable"
          confirm="Turn it off"
          danger
          onDone={() => {
            toast.success("The second factor is off.");
            close();
          }}
          onCancel={close}
        />
      </Dialog>
    </Card>
  );
}
