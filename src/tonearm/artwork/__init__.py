"""Pictures of the music: where one is found, made as small as it is shown, and kept."""
