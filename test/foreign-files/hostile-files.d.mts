export const HOSTILE: Readonly<Record<string, object>>;
