/** The part of the WebAssembly JavaScript interface that is used here; TypeScript has it only beside a page's. */
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array);
    static imports(module: Module): { readonly module: string; readonly name: string; readonly kind: string }[];
    static customSections(module: Module, name: string): ArrayBuffer[];
  }
  class Memory {
    constructor(limits: { initial: number; maximum: number; shared: true });
    /** Another object after each growth, and in each thread; the older ones stay valid. */
    readonly buffer: SharedArrayBuffer;
    /** @returns how many pages there were; those that are new belong to the caller */
    grow(pages: number): number;
  }
  class Global {
    value: number;
  }
  class Instance {
    constructor(module: Module, imports: object);
    readonly exports: Readonly<Record<string, unknown>>;
  }
  class RuntimeError extends Error {}
}
