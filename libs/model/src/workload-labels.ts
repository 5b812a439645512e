/** What metrics call a workload; `unknown` where it is not known. */
export interface WorkloadLabels {
  readonly workload: string;
  readonly namespace: string;
  readonly service: string;
  readonly revision: string;
  readonly app: string;
  readonly version: string;
  readonly cluster: string;
}

/** By which letter each goes where one proxy tells another. */
export const workloadLetters: Readonly<Record<keyof WorkloadLabels, string>> = {
  workload: 'w',
  namespace: 'n',
  service: 's',
  revision: 'r',
  app: 'a',
  version: 'v',
  cluster: 'c',
};

/** `w=reviews-v1;n=default;s=reviews;r=v1;a=reviews;v=v1;c=Kubernetes`: what a proxy says of its workload. */
export function formatPeer(labels: WorkloadLabels): string {
  const keys = Object.keys(workloadLetters) as (keyof WorkloadLabels)[];
  return keys.map((key) => `${workloadLetters[key]}=${labels[key].replaceAll(/[;\s]/g, '')}`).join(';');
}
