// biome-ignore lint/suspicious/noExplicitAny: replaced by the services' own types as they are written
export type Services = any;
