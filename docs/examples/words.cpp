/* SPDX-License-Identifier: MIT */
/* words.cpp - the words of many files, counted at once; a file that cannot be
 * read is a failed task, and an exception where its result is asked for. */
#include <weir/weir.hpp>

#include <cerrno>
#include <fstream>
#include <iostream>
#include <map>
#include <string>
#include <system_error>
#include <vector>

using words = std::map<std::string, int>;

static words count_words(const std::string &path)
{
    std::ifstream file(path);
    std::string word;
    words counts;

    if (!file)
        throw std::system_error(errno, std::generic_category(), path);
    while (file >> word)
        counts[word]++;
    return counts;
}

/* The words of all files, and how many files could not be read. */
static int count_all(const std::vector<std::string> &paths, words &counts)
{
    weir::pool pool; /* one worker per processor */
    std::vector<weir::future<words>> parts;
    int failed = 0;

    for (const std::string &path : paths)
        parts.push_back(pool.async([path] { return count_words(path); }));
    for (auto &part : parts) {
        try {
            for (const auto &[word, count] : part.get())
                counts[word] += count;
        } catch (const weir::task_failed &e) {
            std::cout << "not counted: " << e.what() << "\n";
            failed++;
        }
    }
    return failed;
}

int main(int argc, char **argv)
{
    std::vector<std::string> paths(argv + 1, argv + argc);
    int failed = 0, unread = 0;
    words counts, again;

    if (paths.empty())
        paths = {"/etc/services", "/etc/nothing"};
    failed = count_all(paths, counts);
    std::cout << counts.size() << " different words in "
              << paths.size() - static_cast<std::size_t>(failed) << " files\n";

    for (const std::string &path : paths) { /* the same, one by one */
        try {
            for (const auto &[word, count] : count_words(path))
                again[word] += count;
        } catch (const std::system_error &) {
            unread++;
        }
    }
    return counts == again && failed == unread ? 0 : 1;
}
