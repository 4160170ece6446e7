/** The builds: a name, and what of a processor they ask for. */
export const WASM_BUILDS: Readonly<Record<string, string>>;
export function wasmFile(isa: string): string;
export function sourcesHash(isa: string): string;
export function readSourcesHash(bytes: Uint8Array): string | undefined;
export function buildWasm(isa: string): Promise<Buffer>;
