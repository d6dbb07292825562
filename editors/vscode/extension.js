// Starts `openpy lsp` for scripts.
const { workspace } = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

let client;

exports.activate = () => {
  const command = workspace.getConfiguration("openser").get("command");
  const selector = [{ language: "openser" }];
  client = new LanguageClient("openser", "openpy", { command, args: ["lsp"] }, { documentSelector: selector });
  return client.start();
};

exports.deactivate = () => client && client.stop();
