import { GeistMono } from "geist/font/mono";
import { GeistSans } from "geist/font/sans";
import type { Metadata, Viewport } from "next";
import { headers } from "next/headers";
import type { ReactNode } from "react";
import "./globals.css";
import { Providers } from "./providers";
import { viewerZone } from "./viewer-zone";

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

export default async function RootLayout({ children }: { children: ReactNode }) {
  const zone = await viewerZone();
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
