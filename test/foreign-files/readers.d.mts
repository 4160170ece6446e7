export const READERS: Readonly<Record<string, object>>;
