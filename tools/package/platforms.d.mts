export const PLATFORMS: Readonly<Record<string, { readonly zigTarget: string; readonly isas: readonly string[] }>>;
export function findMissing(has: (platform: string, isa: string) => boolean, platforms?: readonly string[]): string[];
