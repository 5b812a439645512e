import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { status } from '@grpc/grpc-js';
import type { LoggerService } from '@nestjs/common';
import type { NodePublishVolumeMessage, NodeUnpublishVolumeMessage } from '@seine/api';
import type { AgentService } from '../agent.service.js';
import type { CsiArguments, WorkloadArguments } from '../config.js';
import type { RecordStore } from '../record-store.js';
import type { WorkloadTerms } from '../workload.js';
import type { Mounter } from './mounter.js';
import { type Pod, readPod, readToken, tokenError } from './pod-claim.js';

/** What kubelet is told, and its operator in the pod's events. */
export class CsiError extends Error {
  override readonly name = 'CsiError';

  constructor(
    readonly code: status,
    message: string,
  ) {
    super(message);
  }
}

/** A volume as it is written down: whom it is for, and no token or key. */
interface Volume {
  readonly volumeId: string;
  readonly target: string;
  readonly isReadOnly: boolean;
  readonly group: number;
  readonly pod: Pod;
}

export interface VolumesOptions extends Pick<CsiArguments, 'audience' | 'group'> {
  readonly agent: Pick<AgentService, 'put' | 'remove' | 'takeToken'>;
  readonly records: RecordStore;
  /** Where the folders of volumes are, where the mounter wants any. */
  readonly folder: string;
  readonly mounter: Mounter;
  readonly logger: LoggerService;
}

const folderMode = 0o750;

/** The volumes of the node's pods: one folder with one socket each, on which only that pod's identity is given. */
export class Volumes {
  readonly #volumes = new Map<string, Volume>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: VolumesOptions) {}

  /** Serves again what was served before. Their tokens come with kubelet's next call. */
  async restore(): Promise<void> {
    const { records, logger } = this.options;
    for (const volume of records.list('volumes').filter(isVolume)) {
      try {
        this.#volumes.set(volume.volumeId, volume);
        await this.#serve(volume);
      } catch (error) {
        logger.warn(`the volume of ${podName(volume.pod)} cannot be served again: ${messageOf(error)}`, 'csi');
      }
    }
  }

  /** Also brings new tokens of a volume that is there. @throws CsiError */
  async publish(request: NodePublishVolumeMessage): Promise<void> {
    await this.#inTurn(async () => {
      const { records, audience, agent, logger } = this.options;
      const volume = this.#read(request);
      const proof = readToken(request.volumeContext['csi.storage.k8s.io/serviceAccount.tokens'], audience);
      if ('error' in proof) throw new CsiError(status.INVALID_ARGUMENT, proof.error);
      const wrong = tokenError(proof.token, volume.pod);
      if (wrong !== undefined)
        throw new CsiError(status.PERMISSION_DENIED, `the token of ${podName(volume.pod)} is not its own: ${wrong}`);
      const there = this.#volumes.get(volume.volumeId);
      if (there && (there.target !== volume.target || there.pod.uid !== volume.pod.uid))
        throw new CsiError(status.ALREADY_EXISTS, `the volume ${volume.volumeId} is there for ${podName(there.pod)}`);
      // Written first: whatever comes, it can be taken away again.
      if (!there) records.put('volumes', volume.volumeId, volume);
      this.#volumes.set(volume.volumeId, volume);
      await this.#serve(volume);
      agent.takeToken(workloadName(volume), proof.token);
      if (!there) logger.log(`a volume for ${podName(volume.pod)}, of ${volume.pod.serviceAccount}`, 'csi');
    });
  }

  /** @throws CsiError */
  async unpublish({ volumeId, targetPath }: NodeUnpublishVolumeMessage): Promise<void> {
    await this.#inTurn(async () => {
      if (volumeId === '' || targetPath === '')
        throw new CsiError(status.INVALID_ARGUMENT, 'volume_id and target_path are required');
      const { records, agent, mounter, logger } = this.options;
      const volume = this.#volumes.get(volumeId);
      if (volume && volume.target !== path.resolve(targetPath))
        throw new CsiError(status.INVALID_ARGUMENT, `the volume ${volumeId} is at ${volume.target}`);
      if (volume) await agent.remove(workloadName(volume));
      // Also where nothing is known of it, lest a pod never ends: who asks could do it himself.
      await mounter.unmount(path.resolve(targetPath));
      fs.rmSync(this.#ownFolder(volumeId), { recursive: true, force: true });
      records.delete('volumes', volumeId);
      this.#volumes.delete(volumeId);
      if (volume) logger.log(`the volume of ${podName(volume.pod)} is gone`, 'csi');
    });
  }

  #read({ volumeId, targetPath, volumeCapability, readonly, volumeContext }: NodePublishVolumeMessage): Volume {
    const wrong = (message: string): never => {
      throw new CsiError(status.INVALID_ARGUMENT, message);
    };
    if (volumeId === '' || !path.isAbsolute(targetPath)) wrong('volume_id and an absolute target_path are required');
    const mount =
      volumeCapability?.mount ?? wrong('the volume can be mounted only: volume_capability.mount is required');
    if (volumeContext['csi.storage.k8s.io/ephemeral'] !== 'true')
      wrong('only inline volumes of a pod are served (volumes[].csi): a persistent one is of no pod');
    const pod = readPod(volumeContext);
    if ('error' in pod) return wrong(pod.error);
    const group = mount.volumeMountGroup === '' ? this.options.group : Number(mount.volumeMountGroup);
    if (!Number.isInteger(group) || group < 0) wrong(`volume_mount_group '${mount.volumeMountGroup}' is no group`);
    return { volumeId, target: path.resolve(targetPath), isReadOnly: readonly, group, pod };
  }

  async #serve(volume: Volume): Promise<void> {
    const { mounter, agent } = this.options;
    const own = this.#ownFolder(volume.volumeId);
    const folder = mounter.folder(own, volume.target);
    fs.mkdirSync(folder, { recursive: true, mode: folderMode });
    await mounter.mount(folder, volume.target, volume.isReadOnly);
    const socket = path.join(folder, 'socket');
    await agent.put(workloadOf(volume, socket), terms(volume.pod));
    // Only root gives files away; else the pod's group has to be the agent's own.
    if (process.getuid?.() !== 0) return;
    fs.chmodSync(folder, folderMode);
    for (const file of [folder, socket]) fs.chownSync(file, 0, volume.group);
  }

  #ownFolder(volumeId: string): string {
    return path.join(this.options.folder, createHash('sha256').update(volumeId).digest('hex').slice(0, 16));
  }

  async #inTurn(change: () => Promise<void>): Promise<void> {
    const mine = this.#last.then(change, change);
    this.#last = mine.catch(() => undefined);
    try {
      await mine;
    } catch (error) {
      throw error instanceof CsiError ? error : new CsiError(status.INTERNAL, messageOf(error));
    }
  }
}

/** A token beside the socket is checked; the socket alone says which pod asks, as only that pod has it. */
function terms(pod: Pod): WorkloadTerms {
  return {
    refusal: (bearer) => {
      const wrong = bearer === undefined ? undefined : tokenError(bearer, pod);
      return wrong === undefined ? undefined : `the token on the socket of ${podName(pod)} is not its own: ${wrong}`;
    },
    // kubelet brings tokens again and again.
    mayKeep: false,
  };
}

function workloadOf(volume: Volume, socket: string): WorkloadArguments {
  const { namespace, serviceAccount } = volume.pod;
  return { name: workloadName(volume), namespace, serviceAccount, tokenFile: undefined, socket, files: [] };
}

/** A pod may have several volumes, and a new pod the name of an old one. */
function workloadName({ pod, volumeId }: Volume): string {
  return `${podName(pod)}@${createHash('sha256').update(volumeId).digest('hex').slice(0, 8)}`;
}

function isVolume(record: unknown): record is Volume {
  const { volumeId, target, pod } = record as Partial<Volume>;
  return typeof volumeId === 'string' && typeof target === 'string' && typeof pod?.uid === 'string';
}

function podName({ namespace, name }: Pod): string {
  return `${namespace}/${name}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
