// Answers of /api/ui/v1 (docs/ui_api.md).

export interface Cost {
  profiles: number;
  datasets: number;
  scanned_bytes: number;
  ms: number;
  partial: string[];
}

export interface About {
  version: string;
  commit: string;
  server_time: number;
  started: number;
  tenancy: boolean;
  tokens: boolean;
  listen_url: string;
  /** Server's clock minus the browser's, ms; set by the page when the answer arrives. */
  offset: number;
  limits: { frames_default: number; frames_max: number; rows_max: number };
}

export interface ServiceRow {
  name: string;
  types: string[];
  series: number;
  last_seen: number | null;
  total?: number | null;
  previous?: number | null;
  profiles?: number | null;
  spark?: (number | null)[];
  top?: { name: string; self: number }[];
}
export interface Services {
  type: string;
  unit: string;
  empty: boolean;
  types: string[];
  services: ServiceRow[];
  cost: Cost;
}

export interface Labels {
  labels: { name: string; values: number }[];
}

export interface LabelValues {
  label: string;
  values: { value: string; total: number | null; share: number | null }[];
  matched: number;
  all: number;
}

export type Points = (number | null)[];
export interface Series {
  unit: string;
  start: number;
  step: number;
  total: Points;
  groups: { value: string; sum: number; points: Points }[];
  other: { groups: number; sum: number; points: Points } | null;
  sum: number;
  cost: Cost;
}

export interface Functions {
  unit: string;
  total: number;
  functions: number;
  rows: number;
  names: string[];
  self: number[];
  totals: number[];
  matched: { functions: number; value: number; path_value: number; in_path: number } | null;
  cost: Cost;
}

export interface Waiting {
  empty: boolean;
  received: number;
  rejected: number;
  services: string[];
  server_time: number;
}

export interface Rejections {
  rejections: { at: number; status: number; reason: string; message: string; path: string; service: string; bytes: number }[];
}
