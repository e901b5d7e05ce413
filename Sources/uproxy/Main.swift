internal import ArgumentParser

@main struct Uproxy: ParsableCommand {}
