import { GeistMono } from "geist/font/mono";
import { GeistSans } from "geist/font/sans";
import type { Metadata, Viewport } from "next";
import { cookies, headers } from "next/headers";
import type { ReactNode } from "react";
import "./globals.css";
import { ZONE_COOKIE } from "./components/zone-cookie";
import { Providers } from "./providers";

export const metadata: Metadata = {
  title: { default: "Stillframe", template: "%s · Stillframe" },
  description: "Open-file backups: every volume frozen at one instant while it goes on being written to.",
  icons: { icon: "/icon.svg" },
};

export const viewport: Viewport = {
  width: "device-width",
  initialScale: 1,
  themeColor: [
    { media: "(prefers-color-scheme: dark)", color: "#0b0d10" },
    { media: "(prefers-color-scheme: light)", color: "#f7f8f9" },
  ],
};

function validZone(zone: string | undefined): string {
  if (!zone) return "UTC";
  try {
    return new Intl.DateTimeFormat("en-GB", { timeZone: decodeURIComponent(zone) }).resolvedOptions().timeZone;
  } catch {
    return "UTC";
  }
}

export default async function RootLayout({ children }: { children: ReactNode }) {
  const zone = validZone((await cookies()).get(ZONE_COOKIE)?.value);
  const nonce = (await headers()).get("x-nonce") ?? "";
  return (
    <html lang="en" suppressHydrationWarning className={`${GeistSans.variable} ${GeistMono.variable}`}>
      <body>
        <Providers zone={zone} nonce={nonce}>
          {children}
        </Providers>
      </body>
    </html>
  );
}
