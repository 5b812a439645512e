import { bashCompletion } from './bash.js';
import type { CommandNode } from './command-tree.js';

/** zsh runs bash's completion function through bashcompinit, its own means for that. */
export function zshCompletion(root: CommandNode): string {
  return `#compdef seinectl
autoload -U +X compinit && compinit -u
autoload -U +X bashcompinit && bashcompinit
${bashCompletion(root)}`;
}
