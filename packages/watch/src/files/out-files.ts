/** What a run leaves in its folder, beside the weights and the report. */
export const outFiles = { run: 'run.json', events: 'events.jsonl', history: 'history.csv' } as const;
