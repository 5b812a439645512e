import type { MeshService, Workload } from '@seine/model';

export const reviewsService = {
  host: 'reviews.default.svc.cluster.local',
  name: 'reviews',
  namespace: 'default',
} as MeshService;

/** Reviews of Bookinfo, but for what a test says. */
export function aWorkload(differences: Partial<Workload> = {}): Workload {
  return {
    name: 'reviews-v1-abc',
    namespace: 'default',
    ownerName: 'reviews-v1',
    addresses: ['10.0.0.9'],
    labels: { app: 'reviews' },
    serviceAccount: 'reviews',
    locality: { region: '', zone: '', subzone: '' },
    network: '',
    inbound: [
      { targetPort: 8080, servicePort: 8080, serviceHost: reviewsService.host, portName: 'http', protocol: 'HTTP' },
    ],
    ...differences,
  };
}
