import { type OpenMetricsContentType, Registry } from "prom-client";

export const OPEN_METRICS: OpenMetricsContentType = Registry.OPENMETRICS_CONTENT_TYPE;

export function openMetricsRegistry(): Registry<OpenMetricsContentType> {
  const made = new Registry<OpenMetricsContentType>();
  made.setContentType(OPEN_METRICS);
  return made;
}
