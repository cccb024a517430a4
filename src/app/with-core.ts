import type { CommandContext } from './command.ts';
import { loadConfig } from './config.ts';
import { type Core, openCore } from './core.ts';
import { dataFolder, existingFolder, prepareFolder } from './paths.ts';

/** Opens the installation for one command and closes it afterwards. Logs only what is wrong: the command does the talking. */
export async function withCore<T>(
  context: CommandContext,
  folder: 'existing' | 'make',
  work: (core: Core) => Promise<T>,
  override: Readonly<Record<string, unknown>> = {},
): Promise<T> {
  const data = dataFolder(context.data, context.env);
  const config = loadConfig({
    data,
    file: context.configFile,
    env: context.env,
    override: { log: { level: 'warn' }, ...override },
  });
  // With PostgreSQL the folder holds nothing but the key and the name of this worker.
  const paths = folder === 'existing' && config.store.url === undefined ? existingFolder(data) : prepareFolder(data);
  const core = await openCore(config, paths);
  try {
    return await work(core);
  } finally {
    await core.close();
  }
}
