export function readersFolder(cacheFolder?: string): string;
export function setUpReaders(options?: { signal?: AbortSignal }): Promise<void>;
