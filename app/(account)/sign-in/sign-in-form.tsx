import { Building2 } from "lucide-react";
import { Button } from "@/app/components/button";
import { Card } from "@/app/components/card";
import { Note } from "@/app/components/note";
import type { SignInWays } from "@/server/core/contracts/accounts";
import { PasskeyButton } from "./passkey-button";
import { PasswordSignIn } from "./password-sign-in";

/** `told`: why a sign-in by the provider has just ended. */
type SignInFormProps = { target: string; ways: SignInWays; told: string | null };

export function SignInForm({ target, ways, told }: SignInFormProps) {
  const { local, passkeyHost, singleSignOn } = ways;
  return (
    <Card className="p-5">
      <h1 className="mb-4 font-semibold text-lg tracking-tight">Sign in</h1>
      {told && (
        <Note tone="loss" className="mb-4">
          {told}
        </Note>
      )}
      {local && <PasswordSignIn target={target} />}
      {singleSignOn !== null && (
        <div className={local ? "mt-4 border-line border-t pt-4" : undefined}>
          <Button asChild kind={local ? "plain" : "primary"} className="w-full">
            {/* The console answers with a redirect: no page of this application. */}
            <a href={`/api/auth/single-sign-on/begin?next=${encodeURIComponent(target)}`}>
              <Building2 aria-hidden />
              <span className="truncate">Sign in with {singleSignOn}</span>
            </a>
          </Button>
          {!local && (
            <p className="mt-3 text-[0.8125rem] text-mute">
              Passwords are switched off here. An administrator who is locked out makes a one-time link on the console’s
              machine: <code className="font-mono">stillframe user password</code>.
            </p>
          )}
        </div>
      )}
      {passkeyHost !== null && <PasskeyButton host={passkeyHost} target={target} />}
    </Card>
  );
}
