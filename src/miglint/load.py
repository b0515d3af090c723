"""The Django projects below one root, put together from the files that were read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache

import msgspec

from miglint import git
from miglint.begin import Begun
from miglint.database import Version
from miglint.foreign import foreign_migrations
from miglint.git import Blob, GitError, Repository
from miglint.installed import Installed, environment_packages, installed
from miglint.lazy import lazy
from miglint.project import layout
from miglint.project.base import Tracking
from miglint.project.circumstances import Circumstances, engines_of
from miglint.project.graph import Graph
from miglint.project.history import History, replay
from miglint.project.interpret import interpret
from miglint.project.keys import MigrationKey
from miglint.project.migration import Migration
from miglint.project.project import Project
from miglint.project.usages import Usages
from miglint.reading import read_contents
from miglint.root import UsageError
from miglint.since import Comparison, Surroundings, tracking
from miglint.syntax.facts import Literal, ModuleFacts
from miglint.syntax.sql import read_sql

# The rule that asks git without a base branch.
_NOT_IN_GIT = ("MG605", "migration-not-in-git")
# What code calls that changes the schema. Source: django.db.backends.base.schema.BaseDatabaseSchemaEditor
_RUNS_SQL = re.compile(
    rb"execute|\.(?:(?:create|delete)_model|remove_field|alter_db_table|(?:add|remove)_(?:index|constraint))\b"
)
_SUPPORTED_DJANGO: tuple[Version, ...] = ((4, 2), (5, 0), (5, 1), (5, 2), (6, 0), (6, 1))


class Loaded(msgspec.Struct, frozen=True):
    """What was read below one root; the histories of `projects` are empty, `replayed` gives them with theirs.

    `git_failed` says that git, which was to be asked for ignored and untracked files, could not be.
    """

    found: layout.Layout
    projects: tuple[Project, ...]
    replay: Callable[[Project], History]
    git_failed: bool

    def replayed(self) -> tuple[Project, ...]:
        """The projects with their histories, which take as much memory as all else: nothing keeps them."""
        return tuple(msgspec.structs.replace(project, history=self.replay(project)) for project in self.projects)


def load(begun: Begun, *, compared: bool, whole: bool = False) -> Loaded:
    """Puts together what was read. `compared` says whether git is asked, `whole` whether what is installed beside the
    project is read, too. Raises UsageError.
    """
    return _Loading(begun, compared=compared, whole=whole).result()


class _Loading:
    """One call of `load`."""

    def __init__(self, begun: Begun, *, compared: bool, whole: bool) -> None:
        self._begun = begun
        self._root = begun.root
        self._files = begun.files
        self._whole = whole
        self._compares = compared
        self._git_failed = False
        read = begun.files.read(())
        self._found = layout.interpret(
            begun.walk,
            lambda file: read[file].facts if file in read else None,
            apps=begun.root.settings.apps,
            migration_modules=begun.django.migration_modules,
            installed_apps=begun.django.installed_apps,
            lookup=begun.files.modules.lookup,
        )

    def result(self) -> Loaded:
        root, found = self._root, self._found
        comparison, tracked = self._git() if self._compares else (None, Tracking())
        if comparison is not None:
            passed = comparison.released - comparison.changed
            reported = (file for file in self._begun.walk.migration_files if file not in passed)
            self._files.report_on(file for file in reported if root.is_given(file))
        parts = found.projects
        if comparison is not None and comparison.has_gone and not parts:
            parts = (layout.Project("", (), ()),)  # all migrations are gone: that is to be said, too
        if self._whole and root.settings.environment is not None:
            parts = self._with_environment(parts)
        projects = tuple(self._project(part, comparison, tracked) for part in parts)
        return Loaded(found, projects, self._replay, self._git_failed)

    def _with_environment(self, parts: Iterable[layout.Project]) -> tuple[layout.Project, ...]:
        """The projects with the installed apps of the environment to depend on."""
        packages = environment_packages(self._begun.django.installed_apps, self._files.modules)
        self._files.read([module.file for package in packages for module in package.modules])
        return tuple(
            msgspec.structs.replace(part, packages=(*part.packages, *_without(packages, part.packages)))
            for part in parts
        )

    # -- one project ---------------------------------------------------------------------------------

    def _project(self, part: layout.Project, comparison: Comparison | None, tracked: Tracking) -> Project:
        begun, found, modules = self._begun, self._found, self._files.modules
        django, database, version = begun.django, begun.database, begun.version
        files = {
            MigrationKey(package.label, module.name): module
            for package in part.packages
            for module in (package.modules if package.has_init else ())
        }
        read = self._files.read(module.file for module in files.values())
        migrations = [
            interpret(
                key,
                module.path,
                read[module.file].facts,
                modules.lookup(module.file),
                modules.field_class(module.file),
                modules.read_text(module.file),
                modules.model_setting,
                self._circumstances,
            )
            for key, module in files.items()
        ]
        known = self._installed(part)
        graph = Graph.build(migrations, swappable=django.swappable, unmigrated=known.unmigrated, django_version=version)

        @cache
        def may_run_sql(key: MigrationKey) -> bool:
            if key not in files:
                return False
            own = files[key].file
            return self._runs_sql(own) or any(map(self._runs_sql, modules.imported_from(own)))

        usages = Usages(
            module_of=lambda key: modules.module(files[key].file) if key in files else None,
            may_run_sql=may_run_sql,
            swappable=django.swappable,
            vendor=database.vendor,
        )
        unreleased: frozenset[MigrationKey] = frozenset()
        base = None
        if comparison is not None:
            unreleased = frozenset(key for key, module in files.items() if module.file not in comparison.released)
            base = comparison.base(
                part,
                {files[migration.key].file: migration for migration in migrations},
                self._interpret_there,
                swappable=django.swappable,
                django_version=version,
            )
        foreign = foreign_migrations(
            graph.external, django.installed_apps or (), modules, moved=django.migration_modules.keys()
        )
        return Project(
            root=found.root,
            graph=graph,
            history=History(),
            packages=part.own,
            strays=tuple(stray for stray in found.modules_without_migration if stray.package in part.own),
            duplicates=tuple(
                each for each in found.duplicate_labels if any(package in part.own for package in each.packages)
            ),
            database=database,
            django_version=version,
            deploy=self._root.settings.deploy,
            unreleased=unreleased,
            base=base,
            tracking=tracked,
            swappable=django.swappable,
            installed_apps=django.installed_apps,
            unread_apps=known.unread,
            unmigrated_apps=known.unmigrated,
            absent_apps=known.absent,
            doubtful_apps=known.doubtful,
            foreign=foreign,
            allowed_imports=tuple(self._root.settings.allowed_imports),
            sizes=self._root.sizes,
            databases=django.databases,
            usages=usages,
            facts_of=lambda key, module: modules.lookup(files[key].file)(module) if key in files else None,
        )

    def _runs_sql(self, file: str) -> bool:
        """Whether code of a file may hand SQL to a cursor, or call the schema editor."""
        return _RUNS_SQL.search(self._files.read([file])[file].data) is not None

    def _interpret_there(self, key: MigrationKey, path: str, facts: ModuleFacts) -> Migration:
        """A migration of a commit."""
        modules, around = self._files.modules, self._circumstances
        return interpret(key, path, facts, modules.lookup(path), setting=modules.model_setting, around=around)

    def _installed(self, part: layout.Project) -> Installed:
        django = self._begun.django
        if django.installed_apps is None:
            return Installed()
        return installed(
            django.installed_apps,
            [package for package in part.packages if package.has_init],
            self._files.modules,
            perhaps=django.perhaps_installed,
            # None is a setting for "no migrations".
            moved={label for label, target in django.migration_modules.items() if target is not None},
        )

    @lazy
    def _circumstances(self) -> Circumstances:
        """What migrations are told that ask, while they are imported; what is only assumed is not told."""
        django, database = self._begun.django, self._begun.database
        return Circumstances(
            versions=(self._begun.version,) if self._begun.version_source != "default" else _SUPPORTED_DJANGO,
            vendor=database.vendor if database.source != "default" else None,
            engines=self._engines(),
            installed_apps=django.installed_apps,
            perhaps_installed=django.perhaps_installed,
            settings={**django.written, **{name: Literal("str", model) for name, model in django.swappable.items()}},
            whole=django.whole,
        )

    def _engines(self) -> tuple[str, ...]:
        """What the ENGINE of the database may be; that of a database that only miglint's settings name is Django's."""
        django, database = self._begun.django, self._begun.database
        if database.source == "default":
            return ()
        if database.vendor == django.vendor and django.engine is not None:
            return (django.engine,)
        return engines_of(database.vendor, django.installed_apps)

    def _replay(self, project: Project) -> History:
        return replay(
            project.graph,
            database=project.database,
            django_version=project.django_version,
            swappable=project.swappable,
            sql=self._root.cache.read_sql if self._root.cache is not None else read_sql,
            usages=project.usages,
        )

    # -- git -----------------------------------------------------------------------------------------

    def _git(self) -> tuple[Comparison | None, Tracking]:
        """The base branch, where one is asked for, and what git does not have, where a rule asks for it."""
        if not self._root.since and not self._root.selection.is_on(*_NOT_IN_GIT):
            return None, Tracking()
        repository = self._repository()
        if repository is None:
            return None, Tracking()
        return self._comparison(repository), self._tracking(repository)

    def _repository(self) -> Repository | None:
        """The repository around the root; None where there is none, or where nothing is asked of it."""
        root = self._root
        try:
            repository = Repository.of(root.path.as_posix())
        except GitError as error:
            if root.since:
                raise UsageError(f"{root.since_in_words}: {error}") from None
            self._not_asked(error)
            return None
        if root.since and repository is None:
            raise UsageError(
                f"{root.since_in_words}: {root.path} is in no git repository, so nothing can be compared; "
                "run it in a clone, or leave it out"
            )
        return repository

    def _comparison(self, repository: Repository) -> Comparison | None:
        root, django, found = self._root, self._begun.django, self._found
        if not root.since:
            return None
        read = self._files.read(())
        try:
            comparison = Comparison(
                found,
                repository,
                root.since,
                surroundings=Surroundings(
                    exclude=root.settings.exclude,
                    apps=root.settings.apps,
                    migration_modules=django.migration_modules,
                    installed_apps=django.installed_apps,
                ),
                data_of=lambda file: read[file].data if read[file].data_hash else None,
                facts_of=self._facts_in_commits,
            )
        except GitError as error:
            raise UsageError(f"{root.since_in_words}: {error}") from None
        modules = [module for package in found.packages for module in package.modules]
        new = sum(module.file not in comparison.released for module in modules)
        root.notes.append(
            f"since {comparison.ref}: the merge base is {comparison.merge_base[:10]}; "
            f"{new} of {len(modules)} migrations are unreleased"
        )
        return comparison

    def _facts_in_commits(self, blobs: Iterable[Blob]) -> Mapping[str, ModuleFacts]:
        return read_contents(git.contents(blobs), cache=self._root.cache, jobs=self._root.options.jobs)

    def _tracking(self, repository: Repository) -> Tracking:
        try:
            return tracking(self._found, repository)
        except GitError as error:
            self._not_asked(error)
            return Tracking()

    def _not_asked(self, error: GitError) -> None:
        self._git_failed = True
        self._root.notes.append(f"git was not asked for ignored and untracked files: {error}")


def _without(packages: Iterable[layout.Package], there: Iterable[layout.Package]) -> list[layout.Package]:
    """The packages whose labels are not taken."""
    labels = {package.label for package in there}
    return [package for package in packages if package.label not in labels]
