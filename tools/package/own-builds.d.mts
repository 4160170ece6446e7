export interface Build {
  readonly platform: string;
  readonly isa: string;
  readonly file: string;
}

export function listOwnBuilds(root: string): Promise<Build[]>;
