import { Argument, type Command } from 'commander';
import type { CommandNode } from '../completion/command-tree.js';
import type { Io } from '../io.js';
import { outputOf } from './shared-options.js';

type Shell = 'bash' | 'zsh' | 'fish';

export function registerCompletion(program: Command, io: Io): void {
  program
    .command('completion')
    .summary('the completion script of a shell')
    .description(
      'Prints a completion script.\n\n' +
        '  bash: source <(seinectl completion bash)\n' +
        '  zsh:  source <(seinectl completion zsh)\n' +
        '  fish: seinectl completion fish | source',
    )
    .addArgument(new Argument('<shell>', 'which shell').choices(['bash', 'zsh', 'fish']))
    .action(async (shell: Shell, _flags: object, command: Command) => {
      const { commandTree } = await import('../completion/command-tree.js');
      const { kindWords } = await import('../kinds/resolve-kind.js');
      const tree = commandTree(program, kindWords());
      outputOf(command, io).text(await script(shell, tree));
    });
}

async function script(shell: Shell, tree: CommandNode): Promise<string> {
  switch (shell) {
    case 'bash':
      return (await import('../completion/bash.js')).bashCompletion(tree);
    case 'zsh':
      return (await import('../completion/zsh.js')).zshCompletion(tree);
    case 'fish':
      return (await import('../completion/fish.js')).fishCompletion(tree);
  }
}
