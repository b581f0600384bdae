#include "server_process.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <stdexcept>

#include "source_directory.h"

namespace vecframe::providers {

ServerProcess::ServerProcess(const std::string& script, const std::vector<std::string>& arguments) {
  std::array<int, 2> to_child{}, from_child{};
  if (pipe(to_child.data()) != 0 || pipe(from_child.data()) != 0)
    throw std::runtime_error("no pipe");
  const std::string path = std::string(VECFRAME_SOURCE_DIR) + "/tests/providers/" + script;
  std::vector<const char*> command{"python3", path.c_str()};
  for (const std::string& argument : arguments) command.push_back(argument.c_str());
  command.push_back(nullptr);
  process_ = fork();
  if (process_ == 0) {
    dup2(to_child[0], STDIN_FILENO);
    dup2(from_child[1], STDOUT_FILENO);
    for (const int end : {to_child[0], to_child[1], from_child[0], from_child[1]}) close(end);
    execvp("python3", const_cast<char* const*>(command.data()));
    _exit(127);
  }
  close(to_child[0]);
  close(from_child[1]);
  input_ = to_child[1];
  std::string line;
  for (char c = 0; read(from_child[0], &c, 1) == 1 && c != '\n';) line += c;
  close(from_child[0]);
  greeting_ = nlohmann::json::parse(line, nullptr, false);
  if (!greeting_.is_object()) throw std::runtime_error(script + " does not start");
}

ServerProcess::~ServerProcess() {
  close(input_);
  waitpid(process_, nullptr, 0);
}

std::filesystem::path make_temporary_directory(const std::string& name) {
  std::string path = testing::TempDir() + "/" + name + "_XXXXXX";
  if (mkdtemp(path.data()) == nullptr) throw std::runtime_error("no temporary directory");
  return path;
}

}  // namespace vecframe::providers
