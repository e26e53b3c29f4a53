export interface TestNode {
  depth: number;
  name: number;
  self: number;
  folded?: boolean;
  inlined?: boolean;
}
export interface TestName {
  text: string;
  pkg?: string;
  file?: string;
  binary?: string;
  line?: number;
  kind?: number;
}
export interface Nested {
  name: string;
  self: number;
  total?: number;
  children?: Nested[];
}
export function varint(value: number): number[];
export function encodeTree(tree: { nodes: TestNode[]; names: TestName[]; header?: Record<string, unknown> }): Uint8Array;
export function encodeEnvelopes(parts: [string | number, Uint8Array][]): Uint8Array;
export function flatten(root: Nested, min?: number): { nodes: TestNode[]; names: TestName[]; frames: number; total: number };
export function encodeNested(root: Nested, header?: Record<string, unknown>): Uint8Array;
